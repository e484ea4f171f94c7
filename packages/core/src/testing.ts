export { FakeClock } from "./testing/fake-clock.ts";
export { freePort } from "./testing/free-port.ts";
export { memoryPlugin, openMemoryScaler } from "./testing/memory-plugin.ts";
export { MemoryResource, type MemoryPlatform, type MemoryResourceOptions } from "./testing/memory-resource.ts";
export {
  MemoryScaler,
  type MemoryScalerOptions,
  type RecordedCall,
  type ScalerCallName,
} from "./testing/memory-scaler.ts";
export { type TestAnswer, type TestRequest, TestServer } from "./testing/test-server.ts";
