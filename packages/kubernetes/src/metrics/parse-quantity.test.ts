import { assert, bigInt, constantFrom, integer, property, string, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseQuantity } from "./parse-quantity.ts";

describe("a quantity", () => {
  it.each([
    ["0", 0],
    ["150m", 0.15],
    ["1.5k", 1_500],
    ["2Ki", 2_048],
    ["1.5Gi", 1_610_612_736],
    ["1e3", 1_000],
    ["1E3", 1_000],
    ["12E", 12e18],
    ["12e-3", 0.012],
    ["+5", 5],
    ["-5m", -0.005],
    [".5", 0.5],
    ["5.", 5],
    ["100n", 1e-7],
    ["3u", 3e-6],
    ["7M", 7e6],
    ["7T", 7e12],
    ["7P", 7e15],
    ["1Ei", 2 ** 60],
    ["0.1", 0.1],
    ["900719925474099300m", 900_719_925_474_099.3],
    [3.5, 3.5],
  ])("%s is %d", (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each([
    "",
    " 1",
    "1 ",
    "abc",
    "1.2.3",
    "--1",
    "1ki",
    "1K",
    "1mi",
    "e3",
    "1e",
    "1e3m",
    "NaN",
    "Infinity",
    "0x10",
    "1,5",
    "1e9999",
    "9".repeat(65),
    ".",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    undefined,
    {},
    [],
    true,
  ])("%j is none", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  const decimals = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 } as const;
  const suffixesOfDecimals = constantFrom(...(Object.keys(decimals) as (keyof typeof decimals)[]));
  const binaries = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 } as const;

  it("with a decimal suffix is the float nearest to the exact number", () => {
    assert(
      property(
        bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        integer({ min: 0, max: 9 }),
        suffixesOfDecimals,
        (whole, places, suffix) => {
          const text = withPlaces(whole, places);
          expect(parseQuantity(`${text}${suffix}`)).toBe(nearest(whole, decimals[suffix] - places));
        },
      ),
    );
  });

  it("with a binary suffix is exact for every whole number that a float can hold", () => {
    const suffixes = constantFrom(...(Object.keys(binaries) as (keyof typeof binaries)[]));
    assert(
      property(integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), suffixes, (whole, suffix) => {
        const exact = BigInt(whole) * 2n ** BigInt(binaries[suffix]);
        expect(BigInt(parseQuantity(`${String(whole)}${suffix}`) ?? Number.NaN)).toBe(exact);
      }),
    );
  });

  it("says the same in every notation", () => {
    assert(
      property(integer({ min: 1, max: 10 ** 9 }), suffixesOfDecimals, (whole, suffix) => {
        const exponent = decimals[suffix];
        const written = parseQuantity(`${String(whole)}e${String(exponent)}`);
        expect(parseQuantity(`${String(whole)}${suffix}`)).toBe(written);
        expect(parseQuantity(`+${String(whole)}E${String(exponent)}`)).toBe(written);
        expect(parseQuantity(`-${String(whole)}e${String(exponent)}`)).toBe(-(written ?? Number.NaN));
      }),
    );
  });

  it("is a finite number or none, whatever the text", () => {
    const texts = string({ unit: constantFrom(...Array.from("0123456789.eE+-KMGTPkmnui ")), maxLength: 12 });
    assert(
      property(tuple(texts), ([text]) => {
        const value = parseQuantity(text);
        expect(value === undefined || Number.isFinite(value)).toBe(true);
      }),
    );
  });
});

function withPlaces(whole: bigint, places: number): string {
  if (places === 0) return whole.toString();
  const digits = (whole < 0n ? -whole : whole).toString().padStart(places + 1, "0");
  return `${whole < 0n ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** The float nearest to `whole` times a power of ten, by exact integers: the candidates around an estimate. */
function nearest(whole: bigint, exponent: number): number {
  if (exponent >= 0) return Number(whole * 10n ** BigInt(exponent));
  const divisor = 10n ** BigInt(-exponent);
  const estimate = Number(whole) / Number(divisor);
  const candidates = [estimate, nextFloat(estimate, 1), nextFloat(estimate, -1)];
  const distances = candidates.map((candidate) => distance(candidate, whole, divisor));
  const least = distances.reduce((one, other) => (other < one ? other : one));
  return candidates[distances.indexOf(least)] ?? estimate;
}

const scale = 1_200n;

/** |candidate - whole / divisor|, scaled by 2 ** 1200 and the divisor: a whole number for every float. */
function distance(candidate: number, whole: bigint, divisor: bigint): bigint {
  const difference = toScaled(candidate) * divisor - (whole << scale);
  return difference < 0n ? -difference : difference;
}

/** A float times 2 ** 1200, exactly. */
function toScaled(value: number): bigint {
  let mantissa = value;
  let shift = scale;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    shift -= 1n;
  }
  return BigInt(mantissa) << shift;
}

function nextFloat(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const up = value > 0 === direction > 0;
  view.setBigInt64(0, view.getBigInt64(0) + (up ? 1n : -1n));
  return view.getFloat64(0);
}
