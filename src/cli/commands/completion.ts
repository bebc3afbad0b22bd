/** reenact completion. */
import type { Command } from '../command.ts';

export const command: Command = {
  usage: ['bash|zsh|fish'],
  help: `  bash: eval "$(reenact completion bash)"
  zsh:  eval "$(reenact completion zsh)"
  fish: reenact completion fish | source`,
  options: {},
  words: ['bash', 'zsh', 'fish'],
  run: async (a, registry) => (await import('../actions/completion.ts')).completionCommand(a, registry),
};
