import { type DlxConfig, parseConfig, silentLogger } from "@dormouse/core";
import { expect, it, vi } from "vitest";
import { parseDescriptorLimit } from "./descriptor-limit.ts";
import { tellOfDescriptors, withinDescriptors } from "./within-descriptors.ts";

const config: DlxConfig = parseConfig({ scalers: [{ use: "process" }] }, "test").dlx;

it("leaves the limits where descriptors are plenty, or nobody knows how many there are", () => {
  expect(withinDescriptors(config, 1_048_576)).toBe(config);
  expect(withinDescriptors(config, undefined)).toBe(config);
  const modest = { ...config, maxConnections: 100 };
  expect(withinDescriptors(modest, 1_024)).toBe(modest);
});

it.each([1_024, 4_096, 20_000])(
  "takes so few connections that %d descriptors are enough, and says so",
  (descriptors) => {
    const logger = { ...silentLogger, info: vi.fn() };
    const { maxConnections, ...rest } = withinDescriptors(config, descriptors);
    tellOfDescriptors(config, descriptors, logger);
    expect({ ...rest, maxConnections: config.maxConnections }).toEqual(config);
    // Each with a target's, and a quarter more that are refused.
    expect(maxConnections * 2 + Math.ceil(maxConnections / 4)).toBeLessThan(descriptors - 50);
    expect(maxConnections).toBeGreaterThan(descriptors / 3);
    expect(logger.info).toHaveBeenCalledWith(
      expect.objectContaining({ descriptors, maxConnections }),
      expect.any(String),
    );
  },
);

it("takes some connections whatever the limit is", () => {
  expect(withinDescriptors(config, 64).maxConnections).toBe(16);
});

it("reads the limit as the kernel writes it", () => {
  const head = "Limit                     Soft Limit           Hard Limit           Units     \n";
  const files = "Max open files            1024                 524288               files     \n";
  expect(
    parseDescriptorLimit(
      `${head}Max processes             95814                95814                processes \n${files}`,
    ),
  ).toBe(1_024);
  expect(parseDescriptorLimit(head)).toBeUndefined();
  expect(
    parseDescriptorLimit("Max open files            unlimited            unlimited            files     \n"),
  ).toBeUndefined();
});
