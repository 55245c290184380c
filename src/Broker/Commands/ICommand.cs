namespace Broker.Commands;

/// <summary>Something that the program does instead of serving.</summary>
internal interface ICommand
{
    /// <summary>First word of the command line.</summary>
    string Word { get; }

    /// <summary>Lines of the usage text.</summary>
    string Usage { get; }

    /// <summary>Exit code: 0 done, 1 not done, 2 not understood.</summary>
    /// <param name="args">The whole command line; settings may stand in it.</param>
    /// <param name="output">What was asked for.</param>
    /// <param name="errors">Everything else that is said.</param>
    Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors);
}
