// What tests and measurements of other packages use; README.md says how.
export { findEngine, howToEnable } from "./find-engine.ts";
export { openEngine, type TestEngine, testImage } from "./open-engine.ts";
export { type ContainerSettings, openTestProject, type TestProject } from "./test-project.ts";
// Brings along what a test may `inject`.
export type { SharedEngine } from "./serve-tests.ts";
