/** reenact bundle push. */
import type { Command } from '../../command.ts';

export const command: Command = {
  usage: ['FILE HOST/REPOSITORY[:TAG]'],
  help: `Verifies a bundle and puts it into a registry as an OCI artifact, with what is
attached to it. What is there already is not sent again: a push that was cut
off goes on where it was. The same bundle is then known there as
HOST/REPOSITORY@ its identity.

REENACT_REGISTRY_USER and REENACT_REGISTRY_PASSWORD are used where the registry
asks for them.`,
  options: {},
  examples: ['reenact bundle push case.tar registry.example.org/cases/4711'],
  run: async (a) => (await import('../../actions/bundle/registry.ts')).pushCommand(a),
};
