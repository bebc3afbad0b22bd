// Loads the command where Node is new enough: TypeScript in a checkout, JavaScript in a package.
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const source = new URL('../src/cli/main.ts', import.meta.url);
const checkout = existsSync(source);
// A checkout's TypeScript is compiled once, not at each start. What is kept lies beside the source and is trusted like it.
if (checkout) enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)));
const { main } = await import(checkout ? source.href : new URL('../dist/cli/main.js', import.meta.url).href);
process.exitCode = await main(process.argv.slice(2));
