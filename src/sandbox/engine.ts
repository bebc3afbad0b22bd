/** What the runner asks of a container engine, in its own terms; adapters translate, and their types stay inside them. */
import type { Readable } from 'node:stream';

/** Resource limits of one container. */
export interface ContainerLimits {
  cpus: number;
  memoryBytes: number;
  pids: number;
}

export interface VolumeMount {
  volume: string;
  target: string;
  readOnly: boolean;
}

/** One sandbox container; everything else about it (no network, no capabilities …) is the adapter's duty. */
export interface ContainerSpec {
  /** What the engine calls the image: an id it knows. */
  image: string;
  argv: string[];
  env: string[];
  user: string;
  mounts: VolumeMount[];
  limits: ContainerLimits;
  /** Our seccomp profile: its JSON text, and its path for engines that want one. */
  seccomp: { json: string; path: string };
  labels: Record<string, string>;
  /** A host name that differs from the usual one; the processors it may use, as cpuset(7) writes them. */
  hostname?: string;
  cpuset?: string;
}

/** Where an overlay container's changes lie on the engine's host; lower layers topmost first. */
export interface OverlayFolders {
  upper: string;
  lower: string[];
}

export interface ContainerFacts {
  id: string;
  /** The image id that the engine says the container was made from. */
  image: string;
  overlay: OverlayFolders | undefined;
  oomKilled: boolean;
  running: boolean;
  labels: Record<string, string>;
}

export interface ImageFacts {
  id: string;
  diffIds: string[];
  os: string;
  architecture: string;
}

/** An attached container's streams; `ended` resolves once everything it wrote has been passed on: without a bound, as long as it runs. */
export interface AttachedStreams {
  sendInput(bytes: Uint8Array): void;
  ended: Promise<void>;
  /** The same, once it is over: an engine that passes nothing on any more is given up. */
  rest(): Promise<void>;
  close(): void;
}

export interface EngineFacts {
  engine: string;
  version: string;
  apiVersion: string;
  kernel: string;
  architecture: string;
  cgroupVersion: string;
  storageDriver: string;
  securityOptions: string[];
  cpus: number;
  memoryBytes: number;
  warnings: string[];
}

export type OnOutput = (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;

/** Objects a runner left behind, by label. */
export interface Owned {
  kind: 'container' | 'volume';
  id: string;
  labels: Record<string, string>;
}

export interface Engine {
  /** Address of the engine, for messages. */
  readonly address: string;
  facts(): Promise<EngineFacts>;
  image(reference: string): Promise<ImageFacts | undefined>;
  /** Pulls `repository@digest`; never a tag. */
  pull(repository: string, digest: string, signal: AbortSignal, onProgress?: () => void): Promise<void>;
  /** Loads a docker-archive; engines that keep manifests take it as the OCI layout that it is as well. */
  load(archive: Readable, signal: AbortSignal): Promise<void>;
  /** Removes a name, and the image itself if it has no other; a missing one is no error. */
  removeImage(name: string): Promise<void>;
  /** The image as `docker save` gives it: an uncompressed tar of its layers. */
  saveImage(id: string): Promise<Readable>;
  create(spec: ContainerSpec): Promise<string>;
  inspect(id: string): Promise<ContainerFacts>;
  /** Before start, or output is lost. */
  attach(id: string, onOutput: OnOutput): Promise<AttachedStreams>;
  start(id: string): Promise<void>;
  /** Resolves with the engine's exit code; asked before start, or a quick exit is missed. */
  waitNextExit(id: string): Promise<number>;
  kill(id: string): Promise<void>;
  /** Removes a container in any condition; a missing one is no error. */
  remove(id: string): Promise<void>;
  putArchive(id: string, folder: string, tar: Readable): Promise<void>;
  /** The container's whole file system as a tar. */
  exportFiles(id: string): Promise<Readable>;
  /** Paths changed against the image, as the engine sees them; names that are not UTF-8 come garbled. */
  changedPaths(id: string): Promise<{ path: string; deleted: boolean }[]>;
  createVolume(name: string, labels: Record<string, string>): Promise<void>;
  removeVolume(name: string): Promise<void>;
  owned(label: string): Promise<Owned[]>;
}
