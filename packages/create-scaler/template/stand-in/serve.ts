import { ExamplePlatform } from "./example-platform.ts";

// `npm run platform`: the stand-in with one service, for a try with `npm run dormouse` in another terminal.
const platform = new ExamplePlatform({ port: Number(process.env["PORT"] ?? 3900) });
platform.add("hello", { "dormouse.dev/enabled": "true", "dormouse.dev/hosts": "hello.localhost" });
await platform.listen();
console.log(`a stand-in platform with the service "hello" listens on ${platform.url}`);
