using System.Globalization;

namespace Broker.Storage.Tests.Model;

internal enum MoveKind
{
    Start,
    Claim,
    Report,
    ReportByName,
    Heartbeat,
    Publish,
    Send,
    Pause,
    Resume,
    Cancel,
    Restart,
    Purge,
    ExpireLease,
    TimeOut,
    TimeOutReady,
    TimeOutRun,
    Unrecord,
    Reap,
    MakeDue,
    FinishDue,
    Hand,
    Look,
}

/// <summary>
/// One thing that one client does. <paramref name="A"/> chooses whom it is about (the instance, or one of the client's own leases, old
/// ones too), <paramref name="B"/> how it is done.
/// </summary>
internal sealed record Move(int Client, int Round, MoveKind Kind, int A, int B)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Client} {Kind} {A} {B}");
}

/// <summary>
/// Moves of some clients. Moves of one round are begun together and the next round waits for all of them, so that a schedule can be
/// played again; a loose one lets each client go at its own pace.
/// </summary>
/// <param name="Graphs">The workflow of each instance, by number.</param>
/// <param name="IsLoose">No client waits for another.</param>
/// <param name="Moves">In order of rounds.</param>
/// <param name="IsDriven">In the end everything is driven to its end; else only looked at.</param>
internal sealed record Schedule(IReadOnlyList<int> Graphs, bool IsLoose, IReadOnlyList<Move> Moves, bool IsDriven)
{
    private const int Clients = 4;

    private static readonly (MoveKind Kind, int Weight)[] Weights =
    [
        (MoveKind.Claim, 24), (MoveKind.Report, 24), (MoveKind.ReportByName, 4), (MoveKind.Heartbeat, 7), (MoveKind.Publish, 3), (MoveKind.Send, 8),
        (MoveKind.Pause, 4), (MoveKind.Resume, 6), (MoveKind.Cancel, 2), (MoveKind.Restart, 3), (MoveKind.Purge, 1), (MoveKind.Start, 3), (MoveKind.ExpireLease, 9), (MoveKind.Unrecord, 4),
        (MoveKind.TimeOut, 4), (MoveKind.TimeOutReady, 3), (MoveKind.TimeOutRun, 1),
        (MoveKind.Reap, 8), (MoveKind.MakeDue, 5), (MoveKind.FinishDue, 4), (MoveKind.Hand, 6), (MoveKind.Look, 3),
    ];

    // Each schedule does some things often and others never: a round of everything seldom has the three moves that a fault needs.
    private static readonly int[] Stress = [0, 1, 2, 6];

    public static Schedule Random(int seed)
    {
        // Not the framework's generator as it comes: its first numbers from neighbouring seeds are alike.
        var random = new Random(unchecked(seed * 747_796_405 + 277_803_737));
        for (var i = 0; i < 8; i++) random.Next();

        var graphs = Enumerable.Range(0, random.Next(1, 3)).Select(_ => random.Next(ModelGraph.All.Count)).ToList();
        var clients = random.Next(2, Clients + 1);
        var rounds = random.Next(5, 10);
        var weights = Weights.Select(w => (w.Kind, w.Weight * Stress[random.Next(w.Kind is MoveKind.Claim ? 1 : 0, Stress.Length)])).ToList();
        var moves = new List<Move>();
        for (var client = 0; client < clients; client++) moves.Add(new(client, 0, MoveKind.Start, client, random.Next(10)));
        for (var round = 1; round < rounds; round++)
        {
            for (var client = 0; client < clients; client++)
            {
                // Some clients rest, so that a round is not always full.
                if (random.Next(5) > 0) moves.Add(new(client, round, Any(random, weights), random.Next(100), random.Next(100)));
            }
        }

        return new(graphs, random.Next(2) == 0, moves, IsDriven: random.Next(3) == 0);
    }

    private static MoveKind Any(Random random, List<(MoveKind Kind, int Weight)> weights)
    {
        var at = random.Next(weights.Sum(w => w.Weight));
        foreach (var (kind, weight) in weights)
        {
            if ((at -= weight) < 0) return kind;
        }

        throw new InvalidOperationException("Weights do not add up.");
    }

    /// <summary>In the form that <see cref="Parse"/> reads: <c>plain, jobs, driven: 0 Start 0 50 | 0 Claim 1 2 &amp; 1 Claim 0 0</c>.</summary>
    public override string ToString()
    {
        var head = string.Join(", ", Graphs.Select(g => ModelGraph.All[g].Name).Concat(IsLoose ? ["loose"] : []).Concat(IsDriven ? ["driven"] : []));
        var rounds = Moves.GroupBy(m => m.Round).OrderBy(g => g.Key).Select(round => string.Join(" & ", round));
        return $"{head}: {string.Join(" | ", rounds)}";
    }

    /// <summary>A schedule from its text: the graphs of its instances, then its rounds.</summary>
    public static Schedule Parse(string text)
    {
        var (at, moves) = (text.IndexOf(':', StringComparison.Ordinal), new List<Move>());
        var words = text[..at].Split(", ");
        foreach (var (round, together) in text[(at + 1)..].Split('|').Index())
        {
            foreach (var move in together.Split('&'))
            {
                var parts = move.Trim().Split(' ');
                int Number(int part) => int.Parse(parts[part], CultureInfo.InvariantCulture);
                moves.Add(new(Number(0), round, Enum.Parse<MoveKind>(parts[1]), Number(2), Number(3)));
            }
        }

        var graphs = words.Where(word => word is not ("loose" or "driven")).Select(word => ModelGraph.All.Index().Single(graph => graph.Item.Name == word).Index).ToList();
        return new(graphs, words.Contains("loose"), moves, words.Contains("driven"));
    }
}
