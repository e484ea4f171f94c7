// What tests and measurements of other packages use; README.md says how.
export { findEngine, howToEnable } from "./find-engine.ts";
export { openEngine, type TestEngine, testImage } from "./open-engine.ts";
export { type ContainerSettings, openTestProject, type TestProject } from "./test-project.ts";
// What a test may `inject`.
import "./serve-tests.ts";
