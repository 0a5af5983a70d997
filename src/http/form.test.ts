import fc from 'fast-check';
import Fastify from 'fastify';
import { failureIn } from '../graphql/errors';
import { acceptForms, formOf, parseForm } from './form';

const largest = 512;

const server = async () => {
  const fastify = Fastify();
  fastify.setErrorHandler((error, _request, reply) => {
    const failure = failureIn(error);
    return reply
      .code(failure ? 400 : ((error as { statusCode?: number }).statusCode ?? 500))
      .send({ code: failure?.code ?? null });
  });
  await fastify.register(async (scope) => {
    acceptForms(scope, { largest });
    scope.post('/', async (request) => {
      const form = formOf(request);
      return { form: Object.entries(form), inherited: 'toString' in form };
    });
  });
  const post = async (payload: string | Buffer, type = 'application/x-www-form-urlencoded') => {
    const { statusCode, body } = await fastify.inject({ method: 'POST', url: '/', headers: { 'content-type': type }, payload });
    return { statusCode, ...JSON.parse(body) };
  };
  return { post, close: () => fastify.close() };
};

describe('a form', () => {
  it('has the fields that were sent, with + and %20 as blanks and UTF-8 as letters', () => {
    expect({ ...parseForm('a=1+2%203&b=%C3%A4&c=&d&=e') }).toEqual({ a: '1 2 3', b: 'ä', c: '', d: '', '': 'e' });
  });

  it.each([
    ['twice', 'answer=confirm&answer=refuse'],
    ['twice with one value', 'answer=confirm&answer=confirm'],
    ['twice in two spellings', 'answer=confirm&%61nswer=refuse'],
    ['twice and empty', 'answer&answer='],
    ['twice without a name', '=a&=b'],
    ['twice, far apart', `code=1&${Array.from({ length: 20 }, (_, n) => `f${n}=x`).join('&')}&code=2`],
    ['twice with a name that objects have', '__proto__=a&__proto__=b'],
  ])('is refused where a field came %s', (_what, body) => {
    expect(() => parseForm(body)).toThrow(expect.objectContaining({ code: 'INVALID' }));
  });

  it('is refused with more fields than any form of ours has', () => {
    const body = (fields: number) => Array.from({ length: fields }, (_, n) => `f${n}=x`).join('&');
    expect(Object.keys(parseForm(body(64)))).toHaveLength(64);
    expect(() => parseForm(body(65))).toThrow(expect.objectContaining({ code: 'INVALID' }));
  });

  it('never makes a list or an object of a field, whatever it is called', () => {
    for (const name of ['a[]', 'a[0]', 'a[b]', 'a.b', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      expect(Object.entries(parseForm(new URLSearchParams({ [name]: 'x' }).toString()))).toEqual([[name, 'x']]);
    expect(Object.getPrototypeOf(parseForm('__proto__=x'))).toBeNull();
    expect('toString' in parseForm('a=b')).toBe(false);
  });

  it('gives back whatever was put in, and takes any text as a form or refuses it', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, text), { maxLength: 20, selector: ([name]) => name }), (fields) => {
        expect(Object.entries(parseForm(new URLSearchParams(fields).toString())).sort()).toEqual([...fields].sort());
      }),
      { numRuns: 40 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (body) => {
        try {
          for (const value of Object.values(parseForm(body))) expect(typeof value).toBe('string');
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID' });
        }
      }),
    );
  });

  it('is taken by the routes that accept forms, and nothing else is taken for one', async () => {
    const { post, close } = await server();
    expect(await post('a=1')).toEqual({ statusCode: 200, form: [['a', '1']], inherited: false });
    expect(await post('a=1', 'application/x-www-form-urlencoded; charset=utf-8')).toMatchObject({ form: [['a', '1']] });
    expect(await post('{"a":"1"}', 'application/json')).toEqual({ statusCode: 200, form: [], inherited: false });
    expect(await post('{"fields":{"a":"1"}}', 'application/json')).toMatchObject({ form: [] });
    expect(await post('a=1', 'text/plain')).toMatchObject({ form: [] });
    expect(await post('a=1', 'multipart/form-data; boundary=x')).toMatchObject({ statusCode: 415 });
    await close();
  });

  it('is refused with INVALID where a field came twice, and with 413 where it is too long, its bytes counted', async () => {
    const { post, close } = await server();
    expect(await post('a=1&a=2')).toEqual({ statusCode: 400, code: 'INVALID' });
    expect(await post(`a=${'x'.repeat(largest - 2)}`)).toMatchObject({ statusCode: 200 });
    expect(await post(`a=${'x'.repeat(largest - 1)}`)).toEqual({ statusCode: 413, code: null });
    expect(await post(`a=${'ä'.repeat(largest / 2)}`)).toEqual({ statusCode: 413, code: null });
    await close();
  });

  it('has U+FFFD where its bytes are no UTF-8', async () => {
    const { post, close } = await server();
    expect(await post(Buffer.from([0x61, 0x3d, 0xff]))).toMatchObject({ form: [['a', '\ufffd']] });
    expect(await post('a=%FF%zz')).toMatchObject({ form: [['a', '\ufffd%zz']] });
    await close();
  });
});
