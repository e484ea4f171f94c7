import { z } from "zod";

/** Where one instance takes connections. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const pattern = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))(?::(\d{1,5}))?$/;

/** `host:port` or `[::1]:port`; the port may be left out where there is another one to take. Undefined: it is no address. */
export function parseAddress(text: string, port?: number): Address | undefined {
  const match = pattern.exec(text);
  const host = match?.[1] ?? match?.[2];
  const number = match?.[3] === undefined ? port : Number(match[3]);
  if (host === undefined || number === undefined || number < 1 || number > 65_535) return undefined;
  return { host, port: number };
}

/** As configuration writes it, with its port. */
export const addressSchema = z
  .string()
  .refine(
    (text) => parseAddress(text) !== undefined,
    'is no address; write for example "10.0.0.7:8080" or "app.internal:80"',
  );
