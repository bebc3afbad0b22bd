/** In what two bundles differ. */
export { diffBundles } from '../bundle/diff/diff.ts';
