const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

/** An exponent comes first: `12E` are exa, `12E3` are thousands. */
const pattern = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,4})|([KMGTPE]i)|([numkMGTPE]))?$/;

/** Digits of a number: the API's own have at most 27. */
const longestText = 64;

/**
 * A quantity of the API (`150m`, `1.5k`, `2Ki`, `1e3`) as the nearest float in its base unit; undefined where it is none, or
 * too large for one. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function parseQuantity(quantity: unknown): number | undefined {
  if (typeof quantity === "number") return Number.isFinite(quantity) ? quantity : undefined;
  if (typeof quantity !== "string" || quantity.length > longestText) return undefined;
  const [, digits, exponent = "", binary, decimal = ""] = pattern.exec(quantity) ?? [];
  if (digits === undefined) return undefined;
  // One conversion from decimal rounds once; a power of two rounds not at all.
  const value =
    binary === undefined
      ? Number(`${digits}${exponent === "" ? `e${String(decimalExponents[decimal] ?? 0)}` : exponent}`)
      : Number(digits) * 2 ** (binaryExponents[binary] ?? 0);
  return Number.isFinite(value) ? value : undefined;
}
