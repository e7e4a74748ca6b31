# The image of Pailou: small, not root, works with a read-only root file system. Data lies in /data.
# Its steps were run in an empty folder on Debian 12, and the result as PID 1 with uid 1000; the image itself was never built by its authors, who had no registry.
ARG NODE_IMAGE=node:26-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# npm runs it after the installation; the console comes later and is built with the package.
COPY scripts/build-console.js scripts/
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.package.json ./
COPY scripts/build-package.ts scripts/
COPY examples/mcp-server examples/mcp-server
COPY src src
COPY console console
RUN node scripts/build-package.ts && npm ci --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE}
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY bin bin
RUN mkdir /data && chown node:node /data
USER node
ENV NODE_ENV=production PAILOU_MODE=production PAILOU_HOST=0.0.0.0 PAILOU_PORT=8000 PAILOU_DATA_DIR=/data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PAILOU_PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/pailou.js"]
CMD ["start"]
