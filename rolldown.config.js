// The command in a few files instead of a hundred: Node takes about a millisecond to load each.
export default {
  input: { main: 'src/cli/main.ts' },
  platform: 'node',
  // Packages stay what they are: installed, pinned and licensed on their own.
  external: [/^node:/, /^[@a-z]/],
  output: { dir: 'dist/cli', format: 'esm', chunkFileNames: '[name]-[hash].js', minify: false },
};
