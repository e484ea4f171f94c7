/** Names are in lower case. */
export type ReplyHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A whole answer, whoever gave it; `text` is cut at a bound. */
export interface WholeReply {
  readonly kind: "whole";
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly text: string;
}

/** None, or one that broke off. */
interface BrokenReply {
  readonly kind: "broken";
  /** What happened, in words. */
  readonly what: string;
  /** Where the head of an answer came. */
  readonly headers?: ReplyHeaders;
}

/** What came of one request. */
export type Reply = WholeReply | BrokenReply;

/** A header's values as one text; empty where there is none. */
export function headerOf(headers: ReplyHeaders, name: string): string {
  return [headers[name.toLowerCase()] ?? []].flat().join(", ");
}
