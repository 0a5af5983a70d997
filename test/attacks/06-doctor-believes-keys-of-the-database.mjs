// Somebody with the database and no key rewrites the log, signs it with a key of their own that they name in its `log.key`
// event, and doctor, which takes the public keys out of the log that it examines, finds all of it to be what was signed.
import { attack, built, counterfoil, expectOrdinary, openSqlite, sleep, start, ticket, token } from './lib.mjs';

/** Names another actor in each disclosure, and the forger's key in place of the log's. Returns how many disclosures there were. */
const forgeEvents = async (db, verifierKey) => {
  const { leafHash } = await built('audit/merkle.js');
  const { canonicalize } = await built('audit/canonical.js');
  const { formatVerifierKey } = await built('audit/note.js');
  let forged = 0;
  for (const { id, leaf: bytes, action } of db.prepare('SELECT id, leaf, action FROM audit_event').all()) {
    const leaf = JSON.parse(bytes.toString());
    if (action === 'disclosure') {
      leaf.actor.id = 'act_01SOMEBODYELSE00000000000';
      forged += 1;
    } else if (action === 'log.key') {
      leaf.detail.key = formatVerifierKey(verifierKey);
      leaf.subject.id = verifierKey.keyId.toString(16).padStart(8, '0');
    } else continue;
    const canonical = Buffer.from(canonicalize(leaf));
    const hash = leafHash(canonical).toString('hex');
    db.prepare('UPDATE audit_event SET leaf = ?, leaf_hash = ?, actor_id = ?, subject_id = ? WHERE id = ?').run(
      canonical,
      hash,
      leaf.actor.id,
      leaf.subject?.id ?? null,
      id,
    );
    db.prepare('UPDATE audit_leaf SET leaf_hash = ? WHERE event_id = ?').run(hash, id);
  }
  return forged;
};

/** Makes nodes and checkpoints fit the leaves again, signed by the forger. */
const signAgain = async (db, origin, signer) => {
  const { Frontier } = await built('audit/merkle.js');
  const { signCheckpoint } = await built('audit/checkpoint.js');
  const sizes = new Set(
    db
      .prepare('SELECT tree_size FROM audit_checkpoint')
      .all()
      .map(({ tree_size }) => Number(tree_size)),
  );
  const updateNode = db.prepare('UPDATE audit_node SET hash = ? WHERE level = ? AND node_index = ?');
  const updateCheckpoint = db.prepare('UPDATE audit_checkpoint SET root_hash = ?, note = ? WHERE tree_size = ?');
  const tree = new Frontier();
  for (const { leaf_hash } of db.prepare('SELECT leaf_hash FROM audit_leaf ORDER BY leaf_index').all()) {
    tree.append(Buffer.from(leaf_hash, 'hex'), (level, index, node) => {
      if (level > 0 && level % 8 === 0) updateNode.run(node.toString('hex'), level, index);
    });
    if (!sizes.has(tree.size)) continue;
    const root = tree.root();
    const note = signCheckpoint({ origin, size: tree.size, root, extensions: ['UNANCHORED'] }, [signer]);
    updateCheckpoint.run(root.toString('hex'), Buffer.from(note), tree.size);
  }
};

await attack(async () => {
  const gateway = await start();
  const { ticket: seen } = await ticket(await token('ana'), '1001', 'customer { displayName paymentMethods { last4 } }');
  expectOrdinary(seen?.customer, 'an agent is shown a customer, which is recorded', seen);
  await sleep(2_500);
  await gateway.stop();
  const sound = await counterfoil(['doctor', '--no-sources'], gateway.environment);
  expectOrdinary(sound.code === 0, 'doctor finds nothing wrong with a log that nobody touched', sound);

  const { generateSignerKey, verifierKeyOf } = await built('audit/note.js');
  const db = openSqlite(gateway.data);
  const origin = db.prepare('SELECT name FROM audit_origin').get().name;
  const signer = generateSignerKey(origin);
  const forged = await forgeEvents(db, verifierKeyOf(signer));
  await signAgain(db, origin, signer);
  db.close();
  expectOrdinary(forged > 0, 'there was a disclosure to forge');

  const doctor = await counterfoil(['doctor', '--no-sources'], gateway.environment);
  console.log(`doctor ${doctor.code}:\n${doctor.said}`);
  return doctor.code === 0
    ? `${forged} disclosures have another actor, a stranger’s key signed the whole log, and doctor says that all of it is what was signed`
    : null;
});
