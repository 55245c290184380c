using System.Globalization;

namespace Broker.Benchmarks.Harness;

/// <summary>Options of the command line.</summary>
internal sealed record BenchmarkOptions
{
    public const string Usage = """
        dotnet run -c Release --project tests/Broker.Benchmarks -- [options]
          --short          one short round, small sizes: shows that everything runs, measures nothing
          --list           names of the scenarios
          --only a,b       scenarios whose name contains one of these words
          --db WHICH       postgres, sqlite or both (default)
          --rounds N       rounds, interleaved over the scenarios, after one that does not count (default 3)
          --seconds S      aimed length of one measurement (default 2)
          --history N      finished steps that are loaded for the scenario with history (default 10000000)
          --json FILE      every figure as JSON
          --host PATH      another Broker.dll than this repository's Release build
        """;

    private static readonly TimeSpan RehearsalLength = TimeSpan.FromSeconds(4);

    public bool Short { get; private init; }

    public bool List { get; private init; }

    public IReadOnlyList<string> Only { get; private init; } = [];

    public IReadOnlyList<Database> Databases { get; private init; } = [Database.Postgres, Database.Sqlite];

    public int Rounds { get; private init; } = 3;

    public TimeSpan Length { get; private init; } = TimeSpan.FromSeconds(2);

    /// <summary>Finished steps in the database with history; a hundredth as many are ready there.</summary>
    public int History { get; private init; } = 10_000_000;

    public string? Json { get; private init; }

    public string? Host { get; private init; }

    /// <summary>A size for full measurements, cut down in the short form and in the rehearsal.</summary>
    public int Size(int full, int small) => IsMeasured ? full : small;

    /// <summary>Whether the figures count: those of the short form and of a rehearsal do not.</summary>
    public bool IsMeasured => !Short && !IsRehearsal;

    /// <summary>Whether this is the rehearsal, whose figures do not count.</summary>
    public bool IsRehearsal { get; private init; }

    /// <summary>The same options for the rehearsal, in which code is compiled and plans are made.</summary>
    public BenchmarkOptions Rehearsal => this with { IsRehearsal = true, Length = RehearsalLength };

    public bool Wants(string scenario) =>
        Only.Count == 0 || Only.Any(word => scenario.Contains(word, StringComparison.OrdinalIgnoreCase));

    public static BenchmarkOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchmarkOptions();
        for (var i = 0; i < arguments.Count; i++)
        {
            string Value() => ++i < arguments.Count ? arguments[i] : throw new ArgumentException($"{arguments[i - 1]} needs a value.");
            options = arguments[i] switch
            {
                "--short" => options with { Short = true, Rounds = 1, Length = TimeSpan.FromMilliseconds(250), History = 20_000 },
                "--list" => options with { List = true },
                "--only" => options with { Only = Value().Split(',', StringSplitOptions.RemoveEmptyEntries) },
                "--db" => options with { Databases = DatabasesNamed(Value()) },
                "--rounds" => options with { Rounds = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--seconds" => options with { Length = TimeSpan.FromSeconds(double.Parse(Value(), CultureInfo.InvariantCulture)) },
                "--history" => options with { History = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--json" => options with { Json = Value() },
                "--host" => options with { Host = Value() },
                var unknown => throw new ArgumentException($"Unknown option {unknown}."),
            };
        }

        return options;
    }

    private static IReadOnlyList<Database> DatabasesNamed(string name) => name switch
    {
        "postgres" => [Database.Postgres],
        "sqlite" => [Database.Sqlite],
        "both" => [Database.Postgres, Database.Sqlite],
        _ => throw new ArgumentException("--db takes postgres, sqlite or both."),
    };
}
