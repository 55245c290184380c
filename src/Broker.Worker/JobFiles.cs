using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Broker.Worker;

/// <summary>The folder of one attempt, readable by its owner only: upstream outputs and scripts in, outputs out.</summary>
internal sealed class JobFiles : IDisposable
{
    private const int MaxProgressBytes = 16;

    private readonly Account? _account;
    private readonly string _root = Directory.CreateTempSubdirectory("broker-job-").FullName;
    private readonly string _folder;
    private readonly SafeFileHandle _progress;

    /// <exception cref="IOException">There is no place for files.</exception>
    public JobFiles(JsonElement? upstreamOutputs, Account? account)
    {
        _account = account;
        _folder = account is null ? _root : Path.Combine(_root, "job");
        try
        {
            _progress = Fill(upstreamOutputs);
        }
        catch
        {
            Remove();
            throw;
        }
    }

    public string OutputPath => PathOf("output");
    public string UpstreamPath => PathOf("upstream.json");
    public string ScriptPath => PathOf("run");
    public string ProgressPath => PathOf("step");

    public string PathOf(string name) => Path.Combine(_folder, name);

    /// <summary>Where the script is: a step from 1, or "end". Empty when no shell has started it.</summary>
    public string Progress
    {
        get
        {
            Span<byte> buffer = stackalloc byte[MaxProgressBytes];
            return Encoding.ASCII.GetString(buffer[..RandomAccess.Read(_progress, buffer, 0)]).TrimEnd('\n');
        }
    }

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

        _account?.Own(path);
    }

    public void Dispose()
    {
        _progress.Dispose();
        Remove();
    }

    /// <summary>Opens the file of the progress at last: what the job does to its name does not matter then.</summary>
    private SafeFileHandle Fill(JsonElement? upstreamOutputs)
    {
        if (_account is not null)
        {
            // The folder of the other user lies in one of ours: the job can replace what is in it, and not the folder itself.
            Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            _account.Own(_folder);
            File.SetUnixFileMode(
                _root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        Write(UpstreamPath, upstreamOutputs is { ValueKind: JsonValueKind.Object } given ? given.GetRawText() : "{}");
        Write(OutputPath, "");
        Write(ProgressPath, "");
        return File.OpenHandle(ProgressPath);
    }

    private void Remove()
    {
        try
        {
            if (_account is not null)
            {
                RemoveAs(_account);
                Directory.Delete(_folder);
            }

            Directory.Delete(_root, recursive: _account is null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            // The command may have made files there that we may not remove; the system clears its folder for temporary files.
        }
    }

    // With the rights of the user, so that a link in the folder leads to nothing that the user could not remove by itself.
    private void RemoveAs(Account account)
    {
        var start = new ProcessStartInfo("rm", ["-rf", "--", .. Directory.EnumerateFileSystemEntries(_folder)]) { RedirectStandardError = true, UseShellExecute = false };
        account.ApplyTo(start);
        using var remove = Process.Start(start);
        remove?.StandardError.ReadToEnd();
        remove?.WaitForExit();
    }
}
