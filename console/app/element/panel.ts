/*
 * <counterfoil-panel source="rt" reference="4711"></counterfoil-panel>
 *
 * For pages of helpdesks. It makes a frame of the gateway's origin and nothing else: what is shown there, this page can't read, and hears nothing of.
 */

const [, own] =
  /^(https?:\/\/[^/]+)\/embed\/panel\.js/.exec((document.currentScript as HTMLScriptElement | null)?.src ?? '') ?? [];

const sheet = new CSSStyleSheet();
sheet.replaceSync(':host { display: block; height: 40rem; } iframe { display: block; border: 0; width: 100%; height: 100%; }');

class CounterfoilPanel extends HTMLElement {
  static readonly observedAttributes = ['source', 'reference', 'context'];
  // Closed: nothing of the page reaches the frame by walking through its elements, and its styles don't either.
  private readonly inside = this.attachShadow({ mode: 'closed' });
  private isAsked = false;

  connectedCallback(): void {
    this.inside.adoptedStyleSheets = [sheet];
    this.show();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.show();
  }

  /** Once for all attributes that change together. */
  private show(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    queueMicrotask(() => {
      this.isAsked = false;
      this.inside.replaceChildren();
      const [source, reference, context] = CounterfoilPanel.observedAttributes.map((name) => this.getAttribute(name));
      if (!own || !source || !reference || !this.isConnected) return;
      const frame = document.createElement('iframe');
      frame.title = this.title || 'Counterfoil';
      frame.referrerPolicy = 'no-referrer';
      // Behind the "#", which no server, log or other site is sent.
      const signed = context ? `#context=${encodeURIComponent(context)}` : '';
      frame.src = `${own}/embed/${encodeURIComponent(source)}/${encodeURIComponent(reference)}${signed}`;
      this.inside.append(frame);
    });
  }
}

if (own && !customElements.get('counterfoil-panel')) customElements.define('counterfoil-panel', CounterfoilPanel);
