/** What `dormouse init` writes: runs as it is, with a server that needs nothing but Node. */
export const starterConfig = `# Dormouse: puts services to sleep while nobody uses them and wakes them on the first request.
# Check this file with "dormouse check", run it with "dormouse up". Changes apply while it runs.
# Durations are texts such as "250ms", "90s", "5m" or "1h". Relative paths start at this file's folder.

# What answers "dormouse ls", "why", "wake", "sleep", "events" and /metrics. Any address but loopback needs a token:
#   token: { env: DORMOUSE_TOKEN }    or    token: { file: admin-token }
admin:
  listen: 127.0.0.1:8081

# Where requests come in. The Host header says which service is meant.
dlx:
  listen: 127.0.0.1:8080

# How often to look for services that nobody uses.
autoscaler:
  every: 1s

# What holds for every service that says nothing else.
defaults:
  idleAfter: 5m # sleep after so long without a request
  holdTimeout: 60s # how long a request may wait for its service to wake

# Whatever starts and stops services. "process" runs local programs.
scalers:
  - use: process
    id: local
    options:
      resources:
        - name: hello
          # A program and its arguments; no shell reads them. It is told its port as PORT.
          command:
            - node
            - --eval
            - |
              require("node:http")
                .createServer((request, response) => response.end("Hello from a dormouse\\n"))
                .listen(process.env.PORT, "127.0.0.1");
          policy:
            # curl -i -H 'Host: hello.localhost' http://127.0.0.1:8080/
            hosts: [hello.localhost]
            idleAfter: 30s
            minAwake: 5s
`;
