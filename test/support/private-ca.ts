import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const newKey = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

/** A certificate authority of a test's own, in a folder of its own. Node can't make one, openssl can. */
export class PrivateCa {
  private readonly folder = mkdtempSync(join(tmpdir(), 'counterfoil-ca-'));
  private readonly key = join(this.folder, 'ca.key');
  readonly file = join(this.folder, 'ca.pem');

  constructor() {
    this.openssl('-subj', '/CN=a test', '-keyout', this.key, '-out', this.file);
  }

  /** Makes, or makes anew, a server's key and certificate for these names (`DNS:localhost,IP:127.0.0.1`). */
  issue(names: string): { readonly key: string; readonly cert: string } {
    const [key, cert] = [join(this.folder, 'server.key'), join(this.folder, 'server.pem')];
    this.openssl(
      ...['-CA', this.file, '-CAkey', this.key, '-subj', '/CN=server'],
      ...['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', key, '-out', cert],
    );
    return { key, cert };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private openssl(...rest: readonly string[]): void {
    execFileSync('openssl', [...newKey, ...rest], { stdio: 'ignore' });
  }
}
