using System.Text;

namespace Broker.Worker;

/// <summary>Reader of a job's $BROKER_SUMMARY: markdown that is shown with the job.</summary>
internal static class SummaryFile
{
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Null when nothing was written. Secrets are masked, and bytes that are no UTF-8 are replaced.</summary>
    /// <exception cref="FormatException">Says why it is not kept.</exception>
    public static string? Read(string path, IEnumerable<string> secrets)
    {
        byte[]? bytes;
        try
        {
            bytes = BoundedFile.Read(path, MaxBytes);
        }
        catch (FormatException wrong)
        {
            throw new FormatException($"the summary file {wrong.Message}; it is not kept", wrong);
        }

        if (bytes is null or []) return null;
        var mask = new SecretMask(secrets);
        var text = new StringBuilder(Encoding.UTF8.GetString(mask.Add(bytes).Span)).Append(Encoding.UTF8.GetString(mask.End().Span)).ToString();
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }
}
