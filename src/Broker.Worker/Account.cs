using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Broker.Worker;

/// <summary>The user that jobs run as.</summary>
internal sealed partial class Account
{
    private Account(string name, uint user, uint group, string home, string shell)
    {
        Name = name;
        User = user;
        Group = group;
        Home = home;
        Shell = shell;
    }

    public string Name { get; }
    private uint User { get; }
    private uint Group { get; }
    private string Home { get; }
    private string Shell { get; }

    /// <summary>Null when there is no such user.</summary>
    public static Account? Find(string name)
    {
        // The runtime keeps no table of users, and the C library's entry has the same layout with glibc and musl on 64 bits.
        var entry = GetPasswordEntry(name);
        if (entry == 0) return null;
        var found = Marshal.PtrToStructure<PasswordEntry>(entry);
        return new Account(name, found.User, found.Group, Text(found.Home), Text(found.Shell));

        static string Text(nint text) => Marshal.PtrToStringUTF8(text) ?? "";
    }

    /// <summary>The variables that describe a user are those of this one.</summary>
    public IReadOnlyDictionary<string, string> In(IReadOnlyDictionary<string, string> environment) =>
        new Dictionary<string, string>(environment, StringComparer.Ordinal)
        {
            ["HOME"] = Home,
            ["USER"] = Name,
            ["LOGNAME"] = Name,
            ["SHELL"] = Shell,
        };

    /// <summary>User, group and the user's other groups.</summary>
    public void ApplyTo(ProcessStartInfo start) => start.UserName = Name;

    /// <exception cref="IOException">The file cannot be given away: only root can.</exception>
    public void Own(string path)
    {
        if (ChangeOwner(path, User, Group) != 0)
            throw new IOException($"cannot give {path} to {Name}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
    }

    [LibraryImport("libc", EntryPoint = "getpwnam", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetPasswordEntry(string name);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    [StructLayout(LayoutKind.Sequential)]
    private struct PasswordEntry
    {
        public nint Name;
        public nint Password;
        public uint User;
        public uint Group;
        public nint Comment;
        public nint Home;
        public nint Shell;
    }
}
