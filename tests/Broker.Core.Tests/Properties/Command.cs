using FsCheck;
using FsCheck.Fluent;

namespace Broker.Core.Tests.Properties;

/// <summary>Kind of a command to a run.</summary>
public enum Happening
{
    Claim,
    Heartbeat,
    Expire,
    Succeed,
    Branch,
    Skip,
    Fail,
    Return,
    Postpone,
    GiveUp,
    Pass,
    Due,
    ExpireReady,
    ExpireRun,
    Send,
    Pause,
    Resume,
    Cancel,
    CancelGently,
    Restart,
    Rerun,
    Hand,
}

/// <summary>One command. Its two numbers pick among the steps that exist then, so that any sequence can be played.</summary>
public readonly record struct Command(Happening What, int Pick, int Detail)
{
    // Claims and reports come often, or no run would get anywhere; commands that end a run are rare.
    private static readonly (int Weight, Happening What)[] Weights =
    [
        (30, Happening.Claim), (3, Happening.Heartbeat), (6, Happening.Expire), (16, Happening.Succeed), (8, Happening.Branch),
        (3, Happening.Skip), (5, Happening.Fail), (3, Happening.Return), (3, Happening.Postpone), (1, Happening.GiveUp), (8, Happening.Pass),
        (8, Happening.Due), (4, Happening.ExpireReady), (1, Happening.ExpireRun),
        (10, Happening.Send), (4, Happening.Pause), (6, Happening.Resume), (1, Happening.Cancel), (1, Happening.CancelGently), (1, Happening.Restart), (3, Happening.Rerun), (4, Happening.Hand),
    ];

    public static Gen<Command> Any { get; } =
        from what in Gen.Frequency(Weights.Select(w => (w.Weight, Gen.Constant(w.What))).ToArray())
        from pick in Gen.Choose(0, 999)
        from detail in Gen.Choose(0, 999)
        select new Command(what, pick, detail);
}

/// <summary>A graph (made from its seed) and the commands to a run of it.</summary>
public sealed record CommandSequence(int GraphSeed, Command[] Commands)
{
    public static Arbitrary<CommandSequence> Any { get; } = Arb.From(
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from length in Gen.Choose(0, 60)
        from commands in Command.Any.ArrayOf(length)
        select new CommandSequence(seed, commands),
        story => story.Shorter());

    // The graph stays: a shorter list of commands makes a failure readable.
    private IEnumerable<CommandSequence> Shorter()
    {
        for (var size = Commands.Length / 2; size > 0; size /= 2)
        {
            for (var at = 0; at + size <= Commands.Length; at += size) yield return this with { Commands = [.. Commands[..at], .. Commands[(at + size)..]] };
        }
    }

    public override string ToString() => $"new CommandSequence({GraphSeed}, [{string.Join(", ", Commands.Select(c => $"new(Happening.{c.What}, {c.Pick}, {c.Detail})"))}])";
}
