using System.Globalization;

namespace Broker.Worker;

/// <summary>One line an event: ids and outcomes, never commands, values or keys.</summary>
internal sealed class WorkerLog(TextWriter output)
{
    private readonly Lock gate = new();

    public void Line(string text)
    {
        // Ids come from definitions; a line end in one must not start a log line.
        var clean = string.Create(text.Length, text, static (span, from) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = char.IsControl(from[i]) ? '?' : from[i];
        });
        var time = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        lock (gate)
        {
            try
            {
                output.WriteLine($"{time} {clean}");
                output.Flush();
            }
            catch (IOException)
            {
                // The terminal was closed or the disk is full: jobs in progress end in order all the same.
            }
        }
    }
}
