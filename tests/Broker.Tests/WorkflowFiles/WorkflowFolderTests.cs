using Broker.WorkflowFiles;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

public sealed class WorkflowFolderTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("broker-workflows-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_missing_folder_holds_nothing()
    {
        var (files, problems) = new WorkflowFolder(Path.Combine(folder.FullName, "none"), TimeProvider.System).Read();

        Assert.Empty(files);
        Assert.Empty(problems);
    }

    [Fact]
    public void Only_workflow_files_directly_in_the_folder_are_read_in_order_of_name()
    {
        Write("b.yml");
        Write("a.yaml");
        Write("C.json", """{"name":"from C","on":"push","jobs":{}}""");
        Write("d.YML");
        Write("e.yml.bak");
        Write("f.txt");
        folder.CreateSubdirectory("g.yml");
        Write("g.yml/h.yml");

        var (files, problems) = new WorkflowFolder(folder.FullName, TimeProvider.System).Read();

        Assert.Empty(problems);
        Assert.Equal(["C", "a", "b"], files.Select(f => f.Id));
        Assert.Equal("from C", files[0].Name);
    }

    [Fact]
    public void A_file_with_a_problem_is_left_out_and_the_others_are_loaded()
    {
        Write("a.yml", "name: a\njobs: {}\n");
        Write("b.yml");
        Write("c.json", "{");

        var (files, problems) = new WorkflowFolder(folder.FullName, TimeProvider.System).Read();

        Assert.Equal("b", Assert.Single(files).Id);
        Assert.Equal(["a.yml", "c.json"], problems.Select(p => p.File));
    }

    [Fact]
    public void Of_two_files_with_the_same_stem_the_first_by_name_is_kept()
    {
        Write("ci.yml");
        Write("ci.json", """{"name":"kept","on":"push","jobs":{}}""");

        var (files, problems) = new WorkflowFolder(folder.FullName, TimeProvider.System).Read();

        Assert.Equal("kept", Assert.Single(files).Name);
        Assert.Equal("ci.yml: has the same id 'ci' as ci.json, which is kept", Assert.Single(problems).ToString());
    }

    [Fact]
    public void A_file_that_cannot_be_loaded_does_not_hold_its_stem()
    {
        Write("ci.json", "{");
        Write("ci.yml");

        var (files, problems) = new WorkflowFolder(folder.FullName, TimeProvider.System).Read();

        Assert.Equal("from ci.yml", Assert.Single(files).Name);
        Assert.Equal("ci.json", Assert.Single(problems).File);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_a_problem()
    {
        File.CreateSymbolicLink(Path.Combine(folder.FullName, "dangling.yml"), Path.Combine(folder.FullName, "gone"));
        File.WriteAllBytes(Path.Combine(folder.FullName, "latin.yml"), [0x6E, 0xE9, 0x0A]);
        File.WriteAllText(Path.Combine(folder.FullName, "long.yml"), new string('#', WorkflowFileReader.MaxCharacters + 1));
        Write(".yml");
        Write("..yml");
        Write("...json", """{"name":"dots","on":"push","jobs":{}}""");

        var (files, problems) = new WorkflowFolder(folder.FullName, TimeProvider.System).Read();

        Assert.Empty(files);
        Assert.Equal(["...json", "..yml", ".yml", "dangling.yml", "latin.yml", "long.yml"], problems.Select(p => p.File));
        Assert.StartsWith("names the workflow '..'", problems[0].Message, StringComparison.Ordinal);
        Assert.StartsWith("names the workflow '.'", problems[1].Message, StringComparison.Ordinal);
        Assert.StartsWith("cannot be read: ", problems[3].Message, StringComparison.Ordinal);
        Assert.Equal("is not UTF-8 text", problems[4].Message);
        Assert.Equal("is longer than 1048576 bytes", problems[5].Message);
    }

    private void Write(string name, string? text = null) =>
        File.WriteAllText(Path.Combine(folder.FullName, name), text ?? $"name: from {name}\non: push\njobs: {{}}\n");
}
