// What tests of other packages use; README.md says how.
export { testImage } from "./open-engine.ts";
export { type ContainerSettings, openTestProject, type TestProject } from "./test-project.ts";
import "./serve-tests.ts";
