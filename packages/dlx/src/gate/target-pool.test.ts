import { beforeEach, describe, expect, it } from "vitest";
import { TargetPool } from "./target-pool.ts";

const target = (id: string) => ({ id, address: "127.0.0.1", port: 1 });
let pool: TargetPool;

beforeEach(() => {
  pool = new TargetPool();
});

describe("picking a target", () => {
  it("goes round among equals", () => {
    for (const id of ["a", "b", "c"]) pool.add(target(id));
    const picked = [1, 2, 3, 4].map(() => pool.pick(0)?.target.id);
    expect(picked).toEqual(["a", "b", "c", "a"]);
  });

  it("takes the one with the fewest requests", () => {
    for (const id of ["a", "b"]) pool.add(target(id));
    const busy = pool.pick(0);
    for (let count = 0; count < 3; count += 1) busy?.enter();
    expect([pool.pick(0)?.target.id, pool.pick(0)?.target.id]).toEqual(["b", "b"]);
  });

  it("has nobody once every target is at its bound", () => {
    pool.add(target("a"));
    const slot = pool.pick(1);
    slot?.enter();
    expect(pool.pick(1)).toBeUndefined();
    expect(pool.pick(2)?.target.id).toBe("a");
  });
});

describe("dropping a target", () => {
  it("forgets it once", () => {
    const one = target("a");
    pool.add(one);
    expect(pool.drop(one)).toBe(true);
    expect(pool.drop(one)).toBe(false);
    expect(pool.pick(0)).toBeUndefined();
  });

  it("leaves alone a later target of the same id", () => {
    const old = target("a");
    pool.add(old);
    pool.drop(old);
    pool.add(target("a"));
    expect(pool.drop(old)).toBe(false);
    expect(pool.size).toBe(1);
  });
});
