using Xunit;

namespace Broker.Faults.Harness;

/// <summary>How long the tests go on: BROKER_FAULTS=long for a thorough round, else a short one for every change.</summary>
internal static class Effort
{
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("BROKER_FAULTS") == "long";

    /// <summary>Figures belong to the result: a fault that hit nothing would prove nothing.</summary>
    public static void Print(string figures) => TestContext.Current.TestOutputHelper!.WriteLine(figures);

    /// <summary>For tests of several minutes.</summary>
    public static void RequireLong(string why) => Assert.SkipUnless(IsLong, $"{why} BROKER_FAULTS=long runs it.");

    /// <summary>A program is missing: the short form does without the test, the thorough round does not.</summary>
    public static void Lacks(string program)
    {
        if (IsLong) Assert.Fail(program);
        Assert.Skip(program);
    }

    /// <summary>A bound in time or throughput: measured always, held to only where the machine is left to the test.</summary>
    public static void Bound(bool kept, string bound)
    {
        if (IsLong) Assert.True(kept, bound);
        else if (!kept) Print($"not kept, on a machine that may be busy: {bound}");
    }

    public static double Percentile(this IEnumerable<long> values, double percent) => values.Select(v => (double)v).Percentile(percent);

    public static double Percentile(this IEnumerable<double> values, double percent)
    {
        var sorted = values.Order().ToList();
        return sorted[Math.Min(sorted.Count - 1, (int)Math.Ceiling(sorted.Count * percent / 100) - 1)];
    }

    public static int Of(int usual, int thorough) => IsLong ? thorough : usual;
}
