#!/usr/bin/env node
// Refuses an old Node with one clear line, then starts the command: TypeScript in a checkout, JavaScript in a package.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(`reenact needs Node 24 or newer; this is ${process.versions.node} (${process.execPath})`);
  process.exit(64);
}
const { existsSync } = await import('node:fs');
const source = new URL('../src/cli/main.ts', import.meta.url);
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href
);
process.exitCode = await main(process.argv.slice(2));
