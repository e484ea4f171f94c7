// Counts requests on the fake in virtual time, prints them, and writes them into docs/azure.md.
import { readFileSync, writeFileSync } from "node:fs";
import { measureRequests } from "../test/numbers/measure-requests.ts";
import { fillIn, numbersFile } from "./numbers-table.ts";

const counts = await measureRequests();
const text = fillIn(readFileSync(numbersFile, "utf8"), counts);
writeFileSync(numbersFile, text);
process.stdout.write(`${/<!-- generated: numbers -->\n([^]*?)\n<!-- end -->/.exec(text)?.[1] ?? ""}\n`);
