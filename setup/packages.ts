/** Installs what is missing with apt, where that can be done, and says exactly what is needed where it can't. */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

import { exec } from '../src/base/exec.ts';
import { SetupError, say } from './say.ts';

export interface Tool {
  /** A name, or the full path of a file that is no program. */
  program: string;
  package: string;
  why: string;
  /** Whether what is there, at this path, will do. Default: it does. */
  isRight?: (path: string) => boolean;
}

type Name =
  | 'engine'
  | 'registry'
  | 'compiler'
  | 'libc'
  | 'debian'
  | 'busybox'
  | 'jq'
  | 'openssl'
  | 'python'
  | 'schemas'
  | 'skopeo'
  | 'elfutils'
  | 'postgres'
  | 'llvm'
  | 'lld'
  | 'dwz'
  | 'xz';

export const TOOLS: Record<Name, Tool> = {
  engine: { program: 'dockerd', package: 'docker.io', why: 'the container engine that replays run in' },
  registry: {
    program: 'docker-registry',
    package: 'docker-registry',
    why: 'the loopback registry that sandbox images are pulled from by digest',
  },
  compiler: { program: 'musl-gcc', package: 'musl-tools', why: 'builds the static PID 1 of every sandbox' },
  libc: {
    program: '/usr/include/gnu/libc-version.h',
    package: 'libc6-dev',
    why: 'builds PID 1 under the sanitizers, in the tests',
  },
  debian: {
    program: 'mmdebstrap',
    package: 'mmdebstrap',
    why: 'builds the sandbox image from Debian’s packages',
  },
  busybox: {
    program: 'busybox',
    package: 'busybox-static',
    // Debian's other package of it wants glibc's loader, which those images do not have.
    isRight: (path) => !readFileSync(path).includes('/lib64/ld-linux-x86-64.so.2\0'),
    why: 'the shell of the small images the tests replay',
  },
  jq: { program: 'jq', package: 'jq', why: 'bundles are checked with other people’s tools in the tests' },
  openssl: { program: 'openssl', package: 'openssl', why: 'the same: signatures' },
  python: { program: 'python3', package: 'python3', why: 'the same: archives' },
  schemas: {
    program: '/usr/share/gocode/src/github.com/opencontainers/image-spec/schema/image-manifest-schema.json',
    package: 'golang-github-opencontainers-image-spec-dev',
    why: 'the same: the JSON schemas that OCI publishes',
  },
  llvm: {
    program: 'llvm-symbolizer-19',
    package: 'llvm-19',
    why: 'turns addresses of stack traces into functions and lines',
  },
  lld: { program: 'lld-link-19', package: 'lld-19', why: 'links the tests’ programs for Windows and macOS' },
  dwz: { program: 'dwz', package: 'dwz', why: 'makes debug information smaller, in the tests' },
  elfutils: { program: 'eu-stack', package: 'elfutils', why: 'the same: stacks in ELF cores' },
  postgres: {
    program: '/usr/share/postgresql-common/pg_wrapper',
    package: 'postgresql',
    why: 'the same: the store on a database server',
  },
  xz: { program: 'xz', package: 'xz-utils', why: 'unpacks Debian packages that were shipped' },
  skopeo: { program: 'skopeo', package: 'skopeo', why: 'the same: OCI layouts and registries' },
};

/** The full path of a program on PATH or in the folders of system tools. */
export function findProgram(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin'];
  return folders.map((folder) => resolve(folder, program)).find((path) => existsSync(path));
}

function isDebianLike(): boolean {
  if (!existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/** Makes every tool present, or throws a SetupError that names what to install. */
export async function ensureTools(tools: Tool[]): Promise<void> {
  const missing = tools.filter(({ program, isRight }) => {
    const path = findProgram(program);
    return path === undefined || isRight?.(path) === false;
  });
  if (missing.length === 0) return;
  const names = missing.map((tool) => tool.package).join(' ');
  if (process.platform !== 'linux' || !isDebianLike())
    throw new SetupError(
      `please install what gives you ${missing.map((t) => `${t.program} (${t.why})`).join(', ')}; on Debian: apt-get install ${names}`,
    );
  if (process.getuid?.() !== 0)
    throw new SetupError(
      `not root, so nothing can be installed: run "sudo apt-get install ${names}" once, or set DOCKER_HOST to an engine you may use`,
    );
  for (const tool of missing) say(`installing ${tool.package}: ${tool.why}`);
  const apt = async (args: string[]): Promise<number | null> => {
    const options = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0'];
    const { exitCode, stderr } = await exec(
      '/usr/bin/env',
      ['DEBIAN_FRONTEND=noninteractive', 'apt-get', ...options, ...args],
      { timeoutMs: 900_000, outputBytes: 64 << 20 },
    );
    if (exitCode !== 0) process.stderr.write(stderr.slice(-2000));
    return exitCode;
  };
  const install = ['install', '-y', '--no-install-recommends', ...missing.map((tool) => tool.package)];
  await apt(['update']);
  if ((await apt(install)) !== 0) throw new SetupError(`apt-get install ${names} failed; see above`);
}
