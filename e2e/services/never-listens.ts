// Runs for ever and never opens its port.
setInterval(() => {}, 60_000);
