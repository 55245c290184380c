using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Broker.Worker;

/// <summary>The folder of one attempt, readable by its owner only: inputs, upstream outputs and scripts in, outputs and a summary out.</summary>
internal sealed class JobFiles : IDisposable
{
    private const string ProgressVariable = "_broker_at=";
    private const int MaxMarkBytes = 32;

    private readonly Account? account;
    private readonly string root = Directory.CreateTempSubdirectory("broker-job-").FullName;
    private readonly string folder;
    private readonly SafeFileHandle started;
    private readonly SafeFileHandle progress;

    /// <exception cref="IOException">There is no place for files.</exception>
    public JobFiles(ClaimedJob job, Account? account)
    {
        this.account = account;
        folder = account is null ? root : Path.Combine(root, "job");
        try
        {
            (started, progress) = Fill(job);
        }
        catch
        {
            Remove();
            throw;
        }
    }

    public string OutputPath => PathOf("output");
    public string UpstreamPath => PathOf("upstream.json");
    public string InputsPath => PathOf("inputs.json");
    public string SummaryPath => PathOf("summary.md");
    public string ScriptPath => PathOf("run");
    public string StartedPath => PathOf("started");
    public string ProgressPath => PathOf("step");

    public string PathOf(string name) => Path.Combine(folder, name);

    /// <summary>
    /// True when a shell has begun with the script. A mark of its own, written once: a step that may write no file (<c>ulimit -f</c>)
    /// empties the progress.
    /// </summary>
    public bool HasStarted => TextOf(started).Length > 0;

    /// <summary>Where the script is: a step from 1, or "end".</summary>
    public string Progress => TextOf(progress) is var text && text.StartsWith(ProgressVariable, StringComparison.Ordinal) ? text[ProgressVariable.Length..] : text;

    public void Write(string path, string text)
    {
        using (var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
        }

        account?.Own(path);
    }

    public void Dispose()
    {
        started.Dispose();
        progress.Dispose();
        Remove();
    }

    private static string TextOf(SafeFileHandle file)
    {
        Span<byte> buffer = stackalloc byte[MaxMarkBytes];
        return Encoding.ASCII.GetString(buffer[..RandomAccess.Read(file, buffer, 0)]).TrimEnd('\n');
    }

    private static string TextOf(JsonElement? given) => given is { ValueKind: JsonValueKind.Object } value ? value.GetRawText() : "{}";

    /// <summary>Opens the files of start and progress last: the job may change their names without effect then.</summary>
    private (SafeFileHandle Started, SafeFileHandle Progress) Fill(ClaimedJob job)
    {
        if (account is not null)
        {
            // The other user's folder lies in the worker's: the job can replace its files, and not the folder itself.
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            account.Own(folder);
            File.SetUnixFileMode(
                root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        Write(UpstreamPath, TextOf(job.UpstreamOutputs));
        Write(InputsPath, TextOf(job.Inputs));
        Write(OutputPath, "");
        Write(SummaryPath, "");
        Write(StartedPath, "");
        Write(ProgressPath, "");
        return (File.OpenHandle(StartedPath), File.OpenHandle(ProgressPath));
    }

    private void Remove()
    {
        try
        {
            if (account is not null)
            {
                RemoveAs(account);
                Directory.Delete(folder);
            }

            Directory.Delete(root, recursive: account is null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            // The command may have made files there that we may not remove; the system clears its folder for temporary files.
        }
    }

    // Removal runs with the rights of the job's user: a link in the folder then removes no file that the user could not remove.
    private void RemoveAs(Account account)
    {
        var start = new ProcessStartInfo("rm", ["-rf", "--", .. Directory.EnumerateFileSystemEntries(folder)]) { RedirectStandardError = true, UseShellExecute = false };
        account.ApplyTo(start);
        using var remove = Process.Start(start);
        remove?.StandardError.ReadToEnd();
        remove?.WaitForExit();
    }
}
