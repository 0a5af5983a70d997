export default async (): Promise<void> => {
  await globalThis.privateMariaDb?.stop();
};
