import { useEffect, useState } from 'react';
import { useText } from '../../text/catalogue';
import { readOwn } from './own-files';
import { auditorTexts } from './texts';

const files = ['counterfoil-verify.html', 'counterfoil-verify.mjs'] as const;
const folder = '/verifier/';

/** Digests in the form of sha256sum. */
const digestsIn = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, digest, name] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? [];
      return digest && name ? [[name, digest]] : [];
    }),
  );

/** Says whose word this page is, and gives the verifier that needs nobody's. */
export const TakeAlong = () => {
  const t = useText(auditorTexts);
  const [digests, setDigests] = useState<Readonly<Record<string, string>> | null>(null);
  useEffect(() => {
    let isHere = true;
    void readOwn(`${folder}SHA256SUMS`, { most: 4_096 }).then(async (read) => {
      const found = read.refusal === null ? digestsIn(await read.bytes.text()) : {};
      if (isHere) setDigests(found);
    });
    return () => {
      isHere = false;
    };
  }, []);
  return (
    <section className="notice warn" aria-labelledby="take-along">
      <h2 id="take-along">{t('noWitness')}</h2>
      <p>{t('noWitnessWhy')}</p>
      {digests !== null && Object.keys(digests).length === 0 ? (
        <p>{t('noVerifier')}</p>
      ) : (
        <ul className="downloads">
          {files.map((name) => (
            <li key={name}>
              <a href={`${folder}${name}`} download={name}>
                {name}
              </a>{' '}
              {t(name === 'counterfoil-verify.html' ? 'verifierPage' : 'verifierModule')}
              {digests?.[name] ? (
                <span className="file-digest">
                  SHA-256 <code>{digests[name]}</code>
                </span>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
};
