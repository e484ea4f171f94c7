import { writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

// Loaded before a program by --import: at SIGUSR2 it collects garbage and writes what memory is left.
setFlagsFromString("--expose-gc");
const collectGarbage = /** @type {() => void} */ (runInNewContext("gc"));
const { MEMORY_REPORT = "" } = process.env;

process.on("SIGUSR2", () => {
  collectGarbage();
  collectGarbage();
  writeFileSync(MEMORY_REPORT, JSON.stringify(process.memoryUsage()));
});
