import { Command } from 'commander';
import { note } from './output/output.ts';

export function mcpCommand(): Command {
  return new Command('mcp')
    .description(
      'Serve the same queries as a Model Context Protocol server on standard input and output. All tools are read-only.',
    )
    .addHelpText(
      'after',
      `
The assistant starts it with the same settings as the other commands:
DATABASE_URL, and TEMPORAL_ADDRESS for status, health and runs. Standard output is
used only for the protocol; notes go to standard error.

Example client configuration:
  {
    "mcpServers": {
      "flow-trail": { "command": "npx", "args": ["flow-trail", "mcp"] }
    }
  }`,
    )
    .action(async () => {
      const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js');
      const { createMcpServer } = await import('./mcp/server.ts');
      const { tools } = await import('./mcp/tools.ts');
      const server = createMcpServer(tools);
      await server.connect(new StdioServerTransport());
      note('the MCP server is reading standard input; press Ctrl-D or Ctrl-C to stop it');
    });
}
