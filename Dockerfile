# Node 24: long-term support until April 2028, and the newest line that better-sqlite3 12 is made for. The toolchain stays
# in the first stages; both images are of one Debian release, so that what is compiled in one runs in the other.
FROM node:24-bookworm AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev
COPY tsconfig.json tsconfig.build.json ormconfig.ts ./
COPY migrations migrations
COPY src src
COPY console console
COPY scripts/verifier.mjs scripts/console.mjs scripts/
RUN npx tsc -p tsconfig.build.json
RUN node scripts/verifier.mjs && node scripts/console.mjs

FROM node:24-bookworm-slim
# HOST: everything inside the container only; what is published is decided where it is started.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=4000 \
    DATA_DIR=/data \
    CONFIG_FILE=/app/counterfoil.yaml \
    POLICY_FILE=/app/schema/exposure.yaml \
    RULES_FILE=/app/schema/rules.yaml
WORKDIR /app
RUN install -d -o node -g node -m 700 /data
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY schema/exposure.yaml schema/rules.yaml schema/
# Of the files as they lie here, so that a start finds them unchanged; with a demo merchant in a folder that is removed.
COPY scripts/pack.cjs scripts/
RUN node scripts/pack.cjs
USER node
EXPOSE 4000
VOLUME /data
# Alive, not ready: a gateway whose sources are down must not be restarted. /readyz says more.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Most of what a request makes is garbage by the time that a larger young generation (96 MB in all, at most) is looked through.
CMD ["node", "--max-semi-space-size=32", "dist/src/main.js"]
