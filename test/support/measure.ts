/** A program in a process of its own, so that its time, CPU and peak memory are its own too. */
import { spawnSync } from 'node:child_process';

export interface Measured {
  status: number;
  stdout: string;
  stderr: string;
  wallS: number;
  cpuS: number;
  peakMb: number;
}

const SCRIPT = `import json, resource, subprocess, sys, time
t = time.time(); p = subprocess.run(sys.argv[1:], capture_output=True, text=True); w = time.time() - t
u = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps(dict(status=p.returncode, stdout=p.stdout, stderr=p.stderr, wallS=w,
  cpuS=u.ru_utime + u.ru_stime, peakMb=u.ru_maxrss / 1024)))`;

export function measure(args: string[]): Measured {
  const { stdout, stderr } = spawnSync('python3', ['-c', SCRIPT, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (stdout === '') throw new Error(`${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as Measured;
}
