using System.Globalization;
using System.Text;

namespace Broker.Worker;

/// <summary>The first 4096 characters of both streams together, for the error of a failed command.</summary>
internal sealed class FailureText
{
    private const int MaxCharacters = 4096;

    private readonly StringBuilder text = new();

    public void Add(string data)
    {
        lock (text) text.Append(data, 0, Math.Min(data.Length, MaxCharacters - text.Length));
    }

    /// <param name="step">The step that failed, where the job has steps.</param>
    public string For(int exitCode, string? step = null)
    {
        lock (text)
        {
            // The cut may have gone through a surrogate pair, and half of one is no text.
            if (text.Length > 0 && char.IsHighSurrogate(text[^1])) text.Length--;
            var place = step is null ? "" : $"step \"{step}\": ";
            return string.Create(CultureInfo.InvariantCulture, $"exit code {exitCode}: {place}{text}");
        }
    }
}
