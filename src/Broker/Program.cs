using Broker.Commands;

namespace Broker;

/// <summary>The program. Not public: an application that hosts the broker has a <c>Program</c> of its own.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) => CommandLine.RunAsync(args, Console.Out, Console.Error);
}
