using Broker.Commands;
using Broker.Testing;
using Xunit;

namespace Broker.Tests.WorkflowFiles;

public sealed class ValidateCommandTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Sound_files_go_to_the_output_with_code_0()
    {
        var ci = Write("ci.yml", "name: n\non: push\njobs: { a: { run: x } }");
        var other = Write("other.json", """{"name":"n","on":"push","jobs":{}}""");

        Assert.Equal((0, $"{ci}: ok\n{other}: ok\n", ""), await RunAsync(folder.Path));
        Assert.Equal((0, $"{ci}: ok\n", ""), await RunAsync(ci));
    }

    [Fact]
    public async Task Every_problem_of_every_file_is_a_line_of_its_own_with_code_1()
    {
        var bad = Write("bad.yml", "name: n\non: push\njobs:\n  a:\n    runs: x\n    strategy: { max-parallel: 2 }");
        var odd = Write("odd.yml", "name: n\non: push\ninputs:\n  c: { type: choice }\njobs: {}");
        var ok = Write("ok.yml", "name: n\non: push\njobs: {}");

        var (code, output, errors) = await RunAsync(bad, ok, odd);

        Assert.Equal((1, $"{ok}: ok\n"), (code, output));
        Assert.Equal(
            [
                $"{bad}:4: jobs.a: has nothing to do: write run, or steps with at least one entry",
                $"{bad}:5: jobs.a.runs: not supported; did you mean run?",
                $"{bad}:6: jobs.a.strategy.max-parallel: not supported: jobs of a matrix are not limited; use labels and the slots of workers",
                $"{bad}:6: jobs.a.strategy.matrix: is missing",
                $"{odd}:4: inputs.c.options: is required: the values of the choice",
            ],
            errors.TrimEnd().Split('\n'));
        Assert.Equal(1, (await RunAsync(folder.Path)).Code);
    }

    [Fact]
    public async Task A_folder_without_files_and_a_file_that_is_none_are_problems()
    {
        var text = Write("notes.txt", "x");

        Assert.Equal((1, "", $"{folder.Path}: has no .yml, .yaml or .json file\n"), await RunAsync(folder.Path));
        Assert.Equal((1, "", $"{text}: is no workflow file: there is none of that name ending in .yml, .yaml or .json\n"), await RunAsync(text));
        Assert.Equal(1, (await RunAsync(Path.Combine(folder.Path, "gone", "ci.yml"))).Code);
        Assert.Equal(2, (await RunAsync()).Code);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] paths)
    {
        var (output, errors) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        return (await CommandLine.RunAsync(["validate", .. paths], output, errors), output.ToString(), errors.ToString());
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder.Path, name);
        File.WriteAllText(path, text);
        return path;
    }
}
