using Xunit;

namespace Broker.Faults.Harness;

/// <summary>How long the tests go on: BROKER_FAULTS=long for a thorough round, else what every change can afford.</summary>
internal static class Effort
{
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("BROKER_FAULTS") == "long";

    /// <summary>Figures belong to the result: a fault that hit nothing would prove nothing.</summary>
    public static void Print(string figures) => TestContext.Current.TestOutputHelper!.WriteLine(figures);

    public static int Of(int usual, int thorough) => IsLong ? thorough : usual;
}
