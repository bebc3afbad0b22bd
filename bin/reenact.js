// The command for whom has Node at hand: refuses an old one. No import stands here, so that the oldest can read it.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `reenact needs Node 24 or newer, and ${process.execPath} is ${process.version}: ` +
      `start ${process.argv[1].replace(/\.js$/, '')} instead, which looks for one and says how to get it`,
  );
  process.exit(64);
}
import('./start.js');
