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
    expect(pool.drop(one)).toEqual([one]);
    expect(pool.drop(one)).toEqual([]);
    expect(pool.pick(0)).toBeUndefined();
  });

  it("leaves alone a later target of the same id", () => {
    const old = target("a");
    pool.add(old);
    pool.drop(old);
    pool.add(target("a"));
    expect(pool.drop(old)).toEqual([]);
    expect(pool.size).toBe(1);
  });
});

describe("further ports", () => {
  const admin = { id: "a", address: "127.0.0.1", port: 2 };

  it("are picked only where they are known and open", () => {
    const slot = pool.add(target("a"));
    expect(pool.pick(0, "admin")).toBeUndefined();
    slot.learn("admin", admin);
    expect(pool.pick(0, "admin")?.at("admin")).toBe(admin);
    slot.mark("admin", false);
    expect(pool.pick(0, "admin")).toBeUndefined();
    expect(pool.pick(0)?.target.id).toBe("a");
    slot.mark("admin", true);
    expect(pool.isOpen("admin")).toBe(true);
  });

  it("keep their address while it stays the same, and give the old one back when it moves or goes", () => {
    const slot = pool.add(target("a"));
    expect(slot.learn("admin", admin)).toBeUndefined();
    expect(slot.learn("admin", { ...admin })).toBeUndefined();
    expect(slot.at("admin")).toBe(admin);
    const moved = { ...admin, port: 3 };
    expect(slot.learn("admin", moved)).toBe(admin);
    expect(slot.learn("admin", undefined)).toBe(moved);
    expect(slot.at("admin")).toBeUndefined();
  });

  it("go with their target, and count against its bound", () => {
    const one = target("a");
    const slot = pool.add(one);
    slot.learn("admin", admin);
    slot.enter();
    expect(pool.hasRoom(1, "admin")).toBe(false);
    expect(pool.drop(one)).toEqual([one, admin]);
  });
});
