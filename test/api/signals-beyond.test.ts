import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';

/** Whoever writes the database could say that all was read, so that no rule sees what comes. */
let test: TestApp;
beforeAll(async () => {
  test = await TestApp.start();
  await test.app.signingLog?.sequencer.turn();
  await test.app.signals.service.readLog();
  await test.app.signals.service.turn();
});
afterAll(() => test.stop());

const look = async () => (await rowsWithoutEvent(test.app.database)).findings;
const place = async (name: string): Promise<number> => {
  const [row] = await test.app.database.query<{ position: number }>('SELECT position FROM risk_consumer WHERE name = ?', [name]);
  return Number(row?.position);
};
const set = (name: string, position: number) =>
  tamper(test.app.database, 'UPDATE risk_consumer SET position = ? WHERE name = ?', [position, name]);

describe('a reader of signals', () => {
  it('that stands beyond the end of the feed is told of, by doctor and by the gateway', async () => {
    const before = await place('rules');
    expect([before > 0, await look()]).toEqual([true, []]);
    await set('rules', before + 50);
    expect(await look()).toEqual(['1 readers of signals that their events say otherwise of: rules (position)']);
    await test.app.signals.service.turn();
    expect(test.logLines.filter((line) => line.includes('"name":"BeyondFeed","code":"consumer.rules"'))).toHaveLength(1);
    await set('rules', before);
    expect(await look()).toEqual([]);
  });

  it('that makes signals of the log stands nowhere beyond its end', async () => {
    const before = await place('log');
    await set('log', before + 1_000);
    expect(await look()).toEqual(['1 readers of signals that their events say otherwise of: log (position)']);
    await set('log', before);
    expect(await look()).toEqual([]);
  });

  it('that is gone is told of', async () => {
    const before = await place('rules');
    await tamper(test.app.database, "DELETE FROM risk_consumer WHERE name = 'rules'");
    expect(await look()).toEqual(['1 readers of signals that the log has events of are gone: rules']);
    await tamper(test.app.database, "INSERT INTO risk_consumer (name, position) VALUES ('rules', ?)", [before]);
    expect(await look()).toEqual([]);
  });
});
