import { after, before, describe, it } from "node:test";
import { type TestPlatform, testScaler } from "@dormouse/conformance";
import { freePort } from "@dormouse/core/testing";
import { scaler as plugin } from "../src/index.ts";
import { SupervisedFolder } from "./supervised-folder.ts";

let ports: { readonly one: number; readonly two: number };
let folder: SupervisedFolder;

before(async () => {
  ports = { one: await freePort(), two: await freePort() };
  folder = await SupervisedFolder.open(ports);
});

after(async () => folder[Symbol.asyncDispose]());

testScaler({ describe, it, plugin, open });

/** One runsvdir for all rules: they leave its services down. */
async function open(): Promise<TestPlatform> {
  return {
    options: {
      folder: folder.watched,
      services: [
        { name: "one", port: ports.one },
        { name: "two", port: ports.two },
      ],
    },
    ref: { namespace: "default", name: "one" },
    other: { namespace: "default", name: "two" },
    close: async () => {},
    changeElsewhere: () => folder.replaceRun("one", ports.one),
    async breakStart() {
      await folder.breakStart("one", true);
      return () => folder.breakStart("one", false);
    },
    async remove() {
      await folder.unlink("one");
      return () => folder.link("one");
    },
    async endInstance({ id }) {
      process.kill(Number.parseInt(id, 10), "SIGKILL");
    },
    async cutPlatform() {
      await folder.stop();
      return () => folder.start();
    },
  };
}
