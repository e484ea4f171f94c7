# Dormouse with its first-party plugins: docker build --tag dormouse .
# It runs as nobody, needs to write nowhere but to /tmp, and has npm, by which the chart installs further plugins.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-bookworm-slim AS build
ENV CI=true
WORKDIR /workspace
# Packages are fetched by the lockfile alone, so that a change of sources does not fetch them anew.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npx --yes pnpm@12 fetch
COPY . .
RUN npx --yes pnpm@12 install --offline --frozen-lockfile \
  && npx --yes pnpm@12 run build \
  && npx --yes pnpm@12 --config.node-linker=hoisted --filter dormouse-image --prod deploy /app \
  && rm /app/pnpm-lock.yaml /app/pnpm-workspace.yaml

FROM node:${NODE_VERSION}-bookworm-slim
LABEL org.opencontainers.image.title="Dormouse" \
  org.opencontainers.image.description="Scales any resource to zero while nobody uses it, and back on the first request" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
  PATH=/app/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY --from=build /app /app
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080 8081
# Node itself is process 1, so that it gets the signals.
ENTRYPOINT ["node", "/app/node_modules/@dormouse/cli/dist/bin.js"]
CMD ["--help"]
