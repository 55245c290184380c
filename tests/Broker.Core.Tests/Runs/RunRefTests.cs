using Broker.Core.Runs;
using Xunit;

namespace Broker.Core.Tests.Runs;

public sealed class RunRefTests
{
    [Theory]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc.1", "abc", 1)]
    [InlineData("a.b.12", "a.b", 12)]
    [InlineData("abc.0", "abc.0", 0)]
    [InlineData("abc.01", "abc.01", 0)]
    [InlineData("abc.+1", "abc.+1", 0)]
    [InlineData("abc.-1", "abc.-1", 0)]
    [InlineData("abc. 1", "abc. 1", 0)]
    [InlineData("abc.2147483648", "abc.2147483648", 0)]
    [InlineData(".1", ".1", 0)]
    [InlineData("abc.", "abc.", 0)]
    [InlineData("", "", 0)]
    public void Only_the_worker_s_form_of_an_id_names_a_later_run(string text, string instance, int number) =>
        Assert.Equal((instance, number), RunRef.Split(text));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(int.MaxValue)]
    public void A_run_is_found_by_the_name_that_workers_see(int number) =>
        Assert.Equal(("a.b", number), RunRef.Split(new RunRef(1, "w", "a.b", number).WorkerInstanceId));
}
