/** What the file system answers is no bug: it is said of which file, by which option that file was named, and what helps. */
import { resolve, sep } from 'node:path';
import { cacheFolder } from '../../base/cache-folder.ts';
import { Fault } from '../../base/fault.ts';

/** errno(3): what it means, and what to do. */
const MEANS: Readonly<Record<string, readonly [meaning: string, next: string]>> = {
  ENOSPC: ['no space is left there', 'free space, then run the same command again'],
  EDQUOT: ['the quota there is used up', 'free space or ask for more, then run the same command again'],
  EROFS: ['it lies on a file system that is read-only', 'name a place that can be written'],
  EACCES: ['permission is denied', 'name a place that this user may use, or change its permissions'],
  EPERM: [
    'the operation is not permitted',
    'name a place that this user may use (lsattr shows frozen files)',
  ],
  ENOENT: ['there is no such file or folder', 'name one that is there, or where one can be made'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'name another place'],
  EISDIR: ['it is a folder', 'name a file'],
  EEXIST: ['something is there already', 'name another place, or move what is there'],
  ELOOP: ['its links lead in a circle', 'name the file itself'],
  ENAMETOOLONG: ['the name is too long', 'name a shorter one'],
  EMFILE: ['too many files are open', 'raise the limit (ulimit -n), or use fewer --jobs'],
  ENFILE: ['too many files are open on this machine', 'end what else holds many open'],
  EFBIG: ['the file grew over a limit', 'raise the limit (ulimit -f)'],
  EIO: ['the disk reports an error', 'see dmesg: the disk may be failing'],
  EBUSY: ['it is in use', 'end what uses it'],
  ENXIO: ['no device stands behind it', 'name another place'],
  EXDEV: ['it lies on another file system', 'name a place on the same one'],
};

/** The option whose value the path is or begins with, as it was typed; else what such a place is chosen by. */
function chosenBy(path: string, args: readonly string[]): string {
  const within = (folder: string): boolean => {
    const whole = resolve(folder);
    return (
      resolve(path) === whole ||
      resolve(path).startsWith(whole + sep) ||
      whole.startsWith(resolve(path) + sep)
    );
  };
  for (const [i, arg] of args.entries()) {
    const [, option, value] = /^(--[a-z-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const given = value ?? args[i + 1];
    if (option && given && !given.startsWith('--') && within(given)) return `, named by ${option}`;
  }
  if (within('.reenact')) return ', where things are kept without --out or --store';
  if (within(cacheFolder(process.env))) return ', which follows from XDG_CACHE_HOME';
  return '';
}

/** The Fault for an error of the file system; undefined for any other, which is a bug. */
export function fileFault(error: unknown, args: readonly string[]): Fault | undefined {
  const { code, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  const means = code && syscall ? MEANS[code] : undefined;
  if (!(error instanceof Error) || !means) return undefined;
  const at = dest ?? path;
  const where = at === undefined ? '' : ` ${at}${chosenBy(at, args)}`;
  const message = `${syscall}${where}: ${means[0]} (${code})`;
  return new Fault(
    ['ENOSPC', 'EDQUOT'].includes(code!) ? 'disk_full' : 'out_failed',
    message,
    error,
    means[1],
  );
}
